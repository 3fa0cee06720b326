SELECT definition.name, definition.project, definition.location, definition.created_at,
    revision.number, revision.id, revision.updated_at, revision.revised_at, revision.options,
    revision.source
FROM definition
JOIN revision ON revision.definition = definition.name
    AND revision.number = coalesce(?2, definition.number)
WHERE definition.name = ?1
