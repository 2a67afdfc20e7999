-- class: sql
-- tries: SQL that is nested until the parser's stack is full
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local deep = "SELECT " .. ("("):rep(100000) .. "1" .. (")"):rep(100000)
  local joins = "SELECT 1 FROM " .. ("toys, "):rep(500) .. "toys"
  local unions = "SELECT 1" .. (" UNION SELECT 1"):rep(20000)
  for _, sql in ipairs({ deep, joins, unions, "SELECT " .. ("-"):rep(100000) .. "1", "SELECT 1" .. ("||1"):rep(50000) }) do
    if core.sqlite.query("notes", sql) then return job.OK, sql:sub(1, 20) end
  end
  return job.OK, "held"
end

return job
