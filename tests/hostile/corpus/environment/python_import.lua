-- class: environment
-- tries: to import a Python module and read a file with it
-- holds: ERROR "attempt to index a nil value (global 'python')"

local job = core.job()

function job.run(run)
  local built_in = python.builtins
  return job.OK, built_in.open(run.data.file).read()
end

return job
