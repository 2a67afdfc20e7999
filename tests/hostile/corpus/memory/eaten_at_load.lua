-- class: memory
-- tries: to take all memory while the file is read for its settings
-- holds: INVALID "outside of job.run(): work belongs inside job.run()"

local job = core.job()
local hoard = {}
for i = 1, 10^9 do hoard[i] = ("x"):rep(1000) .. i end

return job
