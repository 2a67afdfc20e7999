-- class: interpreter
-- tries: to pack and unpack with sizes that lie
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local formats = { "i16", "i17", "I0", "!99i4", "s8", "z", "Xi16", "j>J<T", ("i1"):rep(9999), "!16Xd", "c2147483647", "s16" }
  for _, format in ipairs(formats) do
    pcall(string.pack, format, 1, "x", 2)
    pcall(string.packsize, format)
    pcall(string.unpack, format, ("\xff"):rep(64))
    pcall(string.unpack, format, ("\xff"):rep(64), math.maxinteger)
    pcall(string.unpack, format, "", math.mininteger)
  end
  return job.OK, "held"
end

return job
