-- class: lifecycle
-- tries: to do work while the file is only read, and to hide that it was refused
-- holds: COMPLETE {"network": false, "log": false, "files": false, "left": true}

local job = core.job()
local done = {
  network = pcall(function() return assert(core.network.get("http://127.0.0.1/")) end),
  log = pcall(core.log, "at load"),
  files = pcall(core.files.write, "at_load.txt", "x"),
}

function job.run()
  done.left = core.files.read("at_load.txt") == nil
  return job.OK, done
end

return job
