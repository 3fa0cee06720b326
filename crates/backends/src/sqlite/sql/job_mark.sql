SELECT mark FROM job WHERE id = ?1 AND mark IS NOT NULL
