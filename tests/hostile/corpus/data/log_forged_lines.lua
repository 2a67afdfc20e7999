-- class: data
-- tries: to write lines that look as if the engine had written them
-- holds: COMPLETE "written"

local job = core.job()

function job.run(run)
  core.log("x\n2026-01-01 00:00:00 ERROR engine: run 1 of benign failed")
  core.log("x\r2026-01-01 00:00:00 INFO run 2 COMPLETE")
  core.log("%s %d %n {0.__class__} {run} $(id) `id` ${PATH}")
  return job.OK, "written"
end

return job
