-- Opens the marker, or makes it where there is none, and raises the epoch of ours.
-- KEYS[1] the marker; ARGV: our incarnation, our epoch.
-- The marker's incarnation, its epoch, 1 if it was made.
local made = redis.call('HSETNX', KEYS[1], 'incarnation', ARGV[1])
local incarnation = redis.call('HGET', KEYS[1], 'incarnation')
local epoch = redis.call('HGET', KEYS[1], 'epoch') or '0'
if incarnation == ARGV[1] and (#ARGV[2] > #epoch or (#ARGV[2] == #epoch and ARGV[2] > epoch)) then
  epoch = ARGV[2]
end
redis.call('HSET', KEYS[1], 'epoch', epoch)
return {incarnation, epoch, made}
