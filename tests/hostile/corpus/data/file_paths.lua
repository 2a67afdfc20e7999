-- class: data
-- tries: to leave the folder of files by every way to write a path
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local paths = {
    "../moontide.toml", "../../c/untouched.txt", run.data.file, "a/../../moontide.toml", "./../jobs/benign.lua", "..", "/", "", ".", "a\0b",
    "..\\moontide.toml", "%2e%2e/moontide.toml", "a/./../../x", "~/x", "//etc/passwd", "a//../../x", ("a/"):rep(500) .. "x", "\u{2025}/x", "\xff",
  }
  for _, path in ipairs(paths) do
    local text = core.files.read(path)
    if text and text ~= "overwritten" and text ~= "x" then return job.OK, path end
    core.files.write(path, "overwritten")
    core.files.append(path, "overwritten")
    core.files.remove(path)
    core.files.write("own.txt", "x")
    core.files.copy("own.txt", path, true)
    core.files.move("own.txt", path, true)
    core.files.rename("own.txt", path)
  end
  return job.OK, "held"
end

return job
