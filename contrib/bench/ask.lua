-- What wrk sends: the requests that a file lists, one a line, chosen at random.
--
-- A line is method, path, API key and body, with tabs between them; key and body may be empty.
-- Where a body holds an instant made of @, each request gets a second of its own, so that no call is
-- journaled twice. Arguments: the file, a seed for the choice, the first of those seconds.

local HOLE = "@@@@-@@-@@T@@:@@:@@Z"
local before, after = {}, {}
local second = 0

function init(args)
   for line in io.lines(args[1]) do
      local method, path, key, body = line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
      local headers = {}
      if key ~= "" then headers["x-api-key"] = key end
      if body ~= "" then headers["content-type"] = "application/json" else body = nil end
      local text = wrk.format(method, path, headers, body)
      local start, stop = text:find(HOLE, 1, true)
      if start then
         table.insert(before, text:sub(1, start - 1))
         table.insert(after, text:sub(stop + 1))
      else
         table.insert(before, text)
         table.insert(after, false)
      end
   end
   math.randomseed(tonumber(args[2]))
   second = tonumber(args[3])
end

function request()
   local chosen = math.random(#before)
   if not after[chosen] then return before[chosen] end
   second = second + 1
   return before[chosen] .. os.date("!%Y-%m-%dT%H:%M:%SZ", second) .. after[chosen]
end

function done(summary, latency, _)
   local errors = summary.errors
   print(string.format(
      '{"requests": %d, "microseconds": %d, "p50": %d, "p95": %d, "p99": %d,'
      .. ' "refused": %d, "broken": %d}',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(95),
      latency:percentile(99), errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
