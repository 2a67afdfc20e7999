-- class: memory
-- tries: a text that each replacement makes four times longer
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local text = ("x"):rep(10^6 // 1)
  while true do text = text:gsub("x", "xxxx") end
end

return job
