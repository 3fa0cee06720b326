SELECT definition.name, definition.project, definition.location, definition.created_at,
    revision.number, revision.id, revision.updated_at, revision.revised_at, revision.options,
    revision.source
FROM definition
CROSS JOIN revision ON revision.definition = definition.name
    AND revision.number = definition.number
WHERE definition.name > ?1
ORDER BY definition.name
LIMIT ?2
