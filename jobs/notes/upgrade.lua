-- Gives every note the word count that notes of an older version lack, some at a time.
-- When nothing is left to do it returns job.EXIT: it switches itself off, and that is meant.
-- To run it again: `moontide activate notes/upgrade`, then `moontide reload`.
-- Start from it for: a change to stored data that is made once, in small steps.

local notes = require "lib.notes"

local job = core.job {
  every = "20s",
  description = "Add the missing word counts, then switch itself off",
  tags = { kind = "example", shows = "job.EXIT" },
}

local STEP = 50

function job.run(run)
  local missing = {}
  notes.each(function(note)
    if note.words == nil and #missing < STEP then missing[#missing + 1] = note end
  end)

  for _, note in ipairs(missing) do
    note.words = notes.count_words(note.text or "")
    local id, problem = notes.source():save(note)
    if not id then error("note " .. note._id .. " could not be saved: " .. problem) end
  end

  if #missing > 0 then
    core.log("counted the words of", #missing, "notes")
    return job.OK, { changed = #missing }
  end
  core.log("every note has its word count; this job is done and switches itself off")
  return job.EXIT, { changed = 0 }
end

return job
