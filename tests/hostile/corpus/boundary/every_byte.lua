-- class: boundary
-- tries: to lose or change bytes between the two languages
-- holds: COMPLETE true

local job = core.job()

function job.run(run)
  local bytes = {}
  for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
  local text = table.concat(bytes):rep(50)
  assert(core.files.write("bytes.bin", text))
  return job.OK, core.files.read("bytes.bin") == text
end

return job
