-- class: environment
-- tries: to give require values that turn into another path later
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local calls = 0
  local liar = setmetatable({}, {
    __tostring = function() calls = calls + 1 return calls > 1 and "/etc/passwd" or "lib.good" end,
    __index = string, __len = function() return 3 end, __eq = function() return true end,
  })
  for _, value in ipairs({ liar, 42, true, {}, print }) do
    if pcall(require, value) then return job.OK, "loaded " .. type(value) end
  end
  return job.OK, calls == 0 and "held" or "asked for its text"
end

return job
