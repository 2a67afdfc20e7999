-- The notes that the jobs in jobs/notes work on: documents with text, words, added and perhaps done.

local notes = {}

notes.PAGE = 100
notes.DAY = 24 * 60 * 60

--- The documents themselves.
function notes.source()
  return core.data("notes")
end

--- Count the words of a text.
function notes.count_words(text)
  local count = 0
  for _ in text:gmatch("%S+") do count = count + 1 end
  return count
end

--- Call `visit(note)` for each note, the oldest first.
-- Collect what is to be removed and remove it afterwards: removing moves the pages.
function notes.each(visit)
  local number = 1
  while true do
    local page, problem = notes.source():getPage(number, notes.PAGE)
    if not page then error("the notes could not be read: " .. problem) end
    for _, note in ipairs(page) do visit(note) end
    if #page < notes.PAGE then return end
    number = number + 1
  end
end

return notes
