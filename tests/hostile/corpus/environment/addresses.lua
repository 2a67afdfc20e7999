-- class: environment
-- tries: to learn where things lie in memory
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local values = { {}, print, coroutine.create(print), core, job, job.OK, core.NULL, io, core.data("x") }
  for _, value in ipairs(values) do
    local texts = { tostring(value), string.format("%s", value), core.sf("%s", value) }
    texts[#texts + 1] = select(2, pcall(string.format, "%p", value))
    texts[#texts + 1] = select(2, pcall(function() return value .. "" end))
    for _, text in ipairs(texts) do
      if tostring(text):find("0x%x%x%x%x%x") then return job.OK, text end
    end
  end
  return job.OK, "held"
end

return job
