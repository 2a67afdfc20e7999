-- class: sql
-- tries: to fill the disk by a database
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  core.sqlite.query("notes", "CREATE TABLE IF NOT EXISTS filler (data BLOB)")
  for _ = 1, 20 do
    if not core.sqlite.query("notes", "INSERT INTO filler VALUES (zeroblob(500000))") then break end
  end
  local rows = core.sqlite.query("notes", "SELECT COUNT(*) AS n FROM filler")
  core.sqlite.query("notes", "DROP TABLE filler")
  return job.OK, (not rows or rows[1].n < 10) and "held" or rows[1].n
end

return job
