-- class: sql
-- tries: to become part of the SQL by a value
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  core.sqlite.query("notes", "CREATE TABLE IF NOT EXISTS secrets (owner TEXT, words TEXT)")
  core.sqlite.query("notes", "DELETE FROM secrets")
  core.sqlite.insert("notes", { tbl = "secrets", values = { owner = "other", words = "secret" } })
  for _, value in ipairs({ "x' OR '1'='1", "x' OR 1=1 --", "\\' OR 1=1 --", "x\0' OR 1=1", "ʼ OR 1=1", "%", "{}", "?", ":a", "%s" }) do
    local rows = core.sqlite.select("notes", { tbl = "secrets", where = { owner = value } })
    if rows and #rows > 0 then return job.OK, value end
  end
  return job.OK, "held"
end

return job
