-- class: boundary
-- tries: to let functions and coroutines cross the border
-- holds: COMPLETE ["it holds a function", "it holds a thread", "it holds a function"]

local job = core.job()

function job.run(run)
  local texts = {}
  for _, value in ipairs({ print, coroutine.create(print), job.run }) do
    local _, problem = core.data("values"):save({ value = value })
    texts[#texts + 1] = tostring(problem):match("it holds a %a+")
  end
  return job.OK, texts
end

return job
