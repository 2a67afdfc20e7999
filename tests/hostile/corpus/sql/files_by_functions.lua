-- class: sql
-- tries: to read and write files by functions that some builds have
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local path = run.data.file
  local ways = { "readfile('" .. path .. "')", "writefile('" .. path .. "', 'x')", "edit('x')", "fsdir('/')", "zipfile('" .. path .. "')" }
  for _, call in ipairs(ways) do
    if core.sqlite.query("notes", "SELECT " .. call) then return job.OK, call end
  end
  return job.OK, "held"
end

return job
