using System.Text;

namespace StatusDaemon.Fuzzing;

/// <summary>Texts that clients might send: messages, messages with a flaw, and what is none.</summary>
internal static class FuzzText
{
    private static readonly string[] Uids = ["a", "uid-b", "75f7e0ed-3f10-4ba1-8445-3ccbab91d4d8", "ж€😀", "a\\u0062c", "\\ud83d\\ude00", "\\\"\\\\\\/"];

    private static readonly string[] Odd =
    [
        "\\ud800", "\\udc00x", "\\u00zz", "\\u0000", "\u0000", "\u007f", "\u0085", "\uFEFF", "\\n", "/*c*/", "1e400", "-0", "01", "9.0", "1E1", "\"9\"", "null", "true", "{}", "[]", "[[]]", ",", "}", "{", "\"", "\\", ":",
        "99999999999999999999999999999999999999", "\"1627128694.693686\"", "-1.5e-3", "\"\"", "\"1e\"", "\"0x1\"", "\"events\"", "\"st\\u0061tus\"", "\"publisher\"",
    ];

    /// <summary>A text, good or bad; not always UTF-8.</summary>
    public static byte[] Next(Random random)
    {
        switch (random.Next(8))
        {
            case 0:
                return Noise(random, random.Next(40));
            case 1:
                return Encoding.UTF8.GetBytes(new string(random.GetItems<char>("aZ \"\\{}[]:,09ж€\n", random.Next(60))));
            case 2:
                var depth = random.Next(28, 36);
                return Encoding.UTF8.GetBytes($"{{\"x\":{new string('[', depth)}{new string(']', depth)}}}");
            default:
                var text = Message(random);
                return random.Next(3) == 0 ? Mutate(random, Encoding.UTF8.GetBytes(text)) : Encoding.UTF8.GetBytes(text);
        }
    }

    /// <summary>Any bytes.</summary>
    public static byte[] Noise(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Changes a few bytes: flips, sets, inserts, removes, repeats, cuts off.</summary>
    public static byte[] Mutate(Random random, byte[] bytes)
    {
        var changed = bytes.ToList();
        for (var changes = random.Next(1, 5); changes > 0 && changed.Count > 0; changes--)
        {
            var at = random.Next(changed.Count);
            switch (random.Next(7))
            {
                case 0:
                    changed[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    changed[at] = (byte)random.Next(256);
                    break;
                case 2:
                    changed.InsertRange(at, Noise(random, random.Next(1, 6)));
                    break;
                case 3:
                    changed.RemoveRange(at, random.Next(Math.Min(8, changed.Count - at) + 1));
                    break;
                case 4:
                    changed.InsertRange(at, changed.GetRange(at, random.Next(Math.Min(40, changed.Count - at) + 1)));
                    break;
                case 5:
                    changed.InsertRange(at, Encoding.UTF8.GetBytes(random.GetItems(Odd, 1)[0]));
                    break;
                default:
                    changed.RemoveRange(at, random.Next(10) == 0 ? changed.Count - at : 0);
                    break;
            }
        }

        return [.. changed];
    }

    private static string Message(Random random)
    {
        var parts = new List<string>();
        for (var count = random.Next(5); count > 0; count--)
        {
            parts.Add(random.Next(6) switch
            {
                0 => $"\"status\":{Or(random, $"{random.Next(0, 10)}")}",
                1 => $"\"timestamp\":{Or(random, random.Next(2) == 0 ? "1627128694.693686" : "\"-1.5e+3\"")}",
                2 => $"\"publisher\":{Or(random, $"\"{random.GetItems(Uids, 1)[0]}\"")}",
                3 => $"\"{random.GetItems(Uids, 1)[0]}\":{Or(random, "[{\"a\":[1,\"b\"]}]")}",
                _ => $"\"events\":{Or(random, Events(random))}",
            });
        }

        var space = random.Next(4) == 0 ? " \t\r\n" : "";
        return $"{space}{{{space}{string.Join($"{space},{space}", parts)}{space}}}{space}";
    }

    private static string Events(Random random)
    {
        var events = Enumerable.Range(0, random.Next(5)).Select(i =>
        {
            var uid = random.Next(12) == 0 ? new string('u', random.Next(126, 131)) : random.GetItems(Uids, 1)[0] + (random.Next(5) == 0 ? "" : $"{i}");
            return $"\"{uid}\":{Or(random, random.Next(2) == 0 ? "9" : "10")}";
        });
        return $"{{{string.Join(',', events)}}}";
    }

    private static string Or(Random random, string good) => random.Next(14) == 0 ? random.GetItems(Odd, 1)[0] : good;
}
