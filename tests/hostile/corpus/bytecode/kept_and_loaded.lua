-- class: bytecode
-- tries: to keep bytecode as data and to require it from there
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  core.files.write("compiled.lua", "\27Lua\x55\0")
  for _, name in ipairs({ "files.compiled", "lib.files.compiled", "compiled", "lib.compiled_not_here" }) do
    if pcall(require, name) then return job.OK, name end
  end
  return job.OK, "held"
end

return job
