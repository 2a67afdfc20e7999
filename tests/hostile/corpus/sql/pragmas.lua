-- class: sql
-- tries: to change how the database is kept
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local pragmas = {
    "writable_schema = ON", "journal_mode = OFF", "synchronous = OFF", "temp_store_directory = '/tmp'", "trusted_schema = ON", "cache_size = 1000000000",
    "mmap_size = 10000000000", "max_page_count = 2147483647", "locking_mode = EXCLUSIVE", "data_store_directory = '/tmp'", "hard_heap_limit = 1",
  }
  for _, pragma in ipairs(pragmas) do
    if core.sqlite.query("notes", "PRAGMA " .. pragma) then return job.OK, pragma end
  end
  return job.OK, "held"
end

return job
