-- class: memory
-- tries: to go on after every error for want of memory
-- holds: TIMEOUT "of CPU time: the limit"
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  while true do
    pcall(function()
      local text = "x"
      while true do text = text .. text end
    end)
  end
end

return job
