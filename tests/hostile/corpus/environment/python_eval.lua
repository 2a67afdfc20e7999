-- class: environment
-- tries: to let Python work out an expression
-- holds: ERROR "attempt to index a nil value (global 'python')"

local job = core.job()

function job.run(run)
  return job.OK, tostring(python.eval("__import__('os').environ.get('CANARY')"))
end

return job
