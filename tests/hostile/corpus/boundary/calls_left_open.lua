-- class: boundary
-- tries: to abandon coroutines in the middle of calls
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for i = 1, 300 do
    local call = coroutine.wrap(function()
      core.data("open"):get({ n = coroutine.yield() })
      error("after the call")
    end)
    call()
    if i % 2 == 0 then pcall(call, i) end
  end
  return job.OK, "held"
end

return job
