-- class: interpreter
-- tries: to divide, shift and convert where machines trap
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local least = math.mininteger
  local values = { least // -1, least % -1, -least, least * -1, 1 << 64, 1 << -64, 1 >> 63, math.abs(least), least - 1 }
  pcall(function() return 1 // 0 end)
  pcall(function() return 1 % 0 end)
  pcall(function() return 2^63 | 0 end)
  pcall(math.random, least, math.maxinteger)
  pcall(math.random, math.maxinteger, least)
  pcall(math.randomseed, 0 / 0, {})
  pcall(math.tointeger, 2^63)
  pcall(tonumber, ("f"):rep(10000), 36)
  pcall(tonumber, "1e" .. ("9"):rep(10000))
  pcall(string.rep, "x", -1)
  return job.OK, #values == 9 and "held"
end

return job
