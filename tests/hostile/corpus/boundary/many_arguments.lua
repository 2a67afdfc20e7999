-- class: boundary
-- tries: to call with as many arguments as the interpreter takes
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local many = {}
  for i = 1, 10000 do many[i] = i end
  pcall(core.log, table.unpack(many))
  pcall(core.sf, ("%d"):rep(1000), table.unpack(many, 1, 1000))
  pcall(core.data, table.unpack(many))
  pcall(string.char, table.unpack(many))
  pcall(core.json.encode, table.unpack(many))
  return job.OK, "held"
end

return job
