DELETE FROM revision WHERE definition = ?1
