-- class: sql
-- tries: to open another database file from inside of one
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, path in ipairs({ run.data.home .. "/moontide.db", run.data.folder .. "/owned.db", "file:x?mode=memory", "" }) do
    if core.sqlite.query("notes", "ATTACH DATABASE '" .. path .. "' AS other") then return job.OK, path end
  end
  return job.OK, "held"
end

return job
