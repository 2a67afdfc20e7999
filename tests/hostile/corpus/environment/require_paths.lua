-- class: environment
-- tries: to require files from outside of jobs/lib, by every way to write a path
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local names = {
    run.data.folder .. "/secret", "lib/../../../etc/passwd", "lib...", "lib..benign", "lib.%2e%2e.benign", "../benign",
    "lib.\0benign", "lib.benign\0.lua", "lib/benign", "lib\\benign", "benign", "", ".", "lib", "lib.", "LIB.x",
    "lib.ä", "lib. x", "file:///etc/passwd", ("lib."):rep(500) .. "x", "lib.CON", "lib.~root", "lib.$HOME",
  }
  for _, name in ipairs(names) do
    local found, value = pcall(require, name)
    if found then return job.OK, { name, tostring(value) } end
  end
  return job.OK, "held"
end

return job
