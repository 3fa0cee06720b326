UPDATE lease SET expires_at = min(?1 + span, coalesce(deadline, ?1 + span))
