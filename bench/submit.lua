-- Submissions with unique keys for wrk, one thread: body and key of the client come as arguments.
-- After the given seconds nothing more is sent and what is on its way is waited for, so that the
-- rows in the database can be compared with the answers one by one.
local ffi = require("ffi")
ffi.cdef[[
typedef struct { long sec; long nsec; } bench_instant;
int clock_gettime(int clock, bench_instant *now);
int getpid(void);
int kill(int pid, int signal);
]]
local instant = ffi.new("bench_instant")
local MONOTONIC, NEVER, INTERRUPT = 1, 3600000, 2

local function now()
  ffi.C.clock_gettime(MONOTONIC, instant)
  return tonumber(instant.sec) + tonumber(instant.nsec) / 1e9
end

local head, tail, begun, seconds, connections
local sent, idle = 0, 0

function init(args)
  local path, prefix, key = args[1], args[2], args[3]
  seconds, connections = tonumber(args[4]), tonumber(args[5])
  local file = assert(io.open(path, "rb"))
  local body = file:read("*a")
  file:close()
  local before, after = body:match("^(.-<ExternalId>)[^<]*(</ExternalId>.*)$")
  local full = before .. prefix .. "00000000" .. after
  local request = wrk.format("POST", "/soap/appeals.svc", {
    ["Host"] = "localhost",
    ["Content-Type"] = "text/xml; charset=utf-8",
    ["SOAPAction"] = '"urn:gov:appeals:v1/SubmitAppeal"',
    ["X-API-Key"] = key,
  }, full)
  local at = assert(request:find(prefix .. "00000000", 1, true))
  head = request:sub(1, at - 1 + #prefix)
  tail = request:sub(at + #prefix + 8)
end

-- Asked before every request of a connection: when the last one has nothing more to wait for, the
-- time from the first request to the last answer is told and wrk ended.
function delay()
  local moment = now()
  if not begun then begun = moment end
  if moment - begun < seconds then return 0 end
  idle = idle + 1
  if idle == connections then
    io.write(string.format('\nspan %.6f\n', moment - begun))
    io.flush()
    ffi.C.kill(ffi.C.getpid(), INTERRUPT)
  end
  return NEVER
end

function request()
  sent = sent + 1
  return head .. string.format("%08d", sent) .. tail
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answers": %d, "refused": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d, ' ..
    '"p50": %.1f, "p90": %.1f, "p99": %.1f, "worst": %.1f}\n',
    summary.requests, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
