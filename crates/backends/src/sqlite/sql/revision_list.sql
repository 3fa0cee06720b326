SELECT definition.name, definition.project, definition.location, definition.created_at,
    revision.number, revision.id, revision.updated_at, revision.revised_at, revision.options,
    revision.source
FROM definition
CROSS JOIN revision ON revision.definition = definition.name
WHERE definition.name = ?1 AND revision.number < ?2
ORDER BY revision.number DESC
LIMIT ?3
