-- class: metatables
-- tries: to confuse the encoding of arguments by metamethods that lie
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local lies, calls = nil, 0
  local function lie() calls = calls + 1 return lies end
  lies = setmetatable({ 1, 2 }, {
    __len = function() calls = calls + 1 return 10^9 end, __index = lie, __pairs = lie, __ipairs = lie,
    __tostring = lie, __name = "string", __eq = lie, __lt = lie, __concat = lie, __call = lie,
  })
  core.data("lies"):save({ _id = "lie", list = lies })
  local kept = core.data("lies"):get("lie").list
  core.log(#kept)
  return job.OK, (#kept == 2 and calls == 0) and "held" or { #kept, calls }
end

return job
