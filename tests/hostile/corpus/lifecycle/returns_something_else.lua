-- class: lifecycle
-- tries: to give the engine something else than a job
-- holds: INVALID "the file must end with `return job`"

local job = core.job()

return { run = job.run, settings = { every = 1 } }
