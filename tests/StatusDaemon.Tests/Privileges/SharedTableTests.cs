using CsCheck;

namespace StatusDaemon.Privileges;

public sealed class SharedTableTests
{
    private static readonly Gen<(int Key, int Value)[][]> Histories = Gen.Select(Gen.Int[0, 60], Gen.Int[0, 3]).Array[0, 30].Array[1, 8];

    [Fact]
    public void Each_table_holds_what_was_put_in_and_those_that_it_comes_from_stay_as_they_were() => Histories.Sample(history =>
    {
        var tables = new List<(SharedTable<int, int> Table, Dictionary<int, int> Model)> { (new SharedTable<int, int>(EqualityComparer<int>.Default), []) };
        foreach (var batch in history)
        {
            // Of the last one mostly, else of an earlier one: two tables may come from one.
            var (from, before) = tables[batch.Length % 5 == 0 ? tables.Count / 2 : ^1];
            var model = new Dictionary<int, int>(before);
            var edit = from.Change();
            foreach (var (key, value) in batch)
            {
                if (value == 0)
                {
                    edit.Remove(key);
                    model.Remove(key);
                }
                else
                {
                    edit.Set(key, value);
                    model[key] = value;
                }
            }

            tables.Add((edit.Done(), model));
        }

        foreach (var (table, model) in tables)
        {
            Assert.Equal(model.Count, table.Count);
            Assert.Equal(model.OrderBy(pair => pair.Key), table.All.OrderBy(pair => pair.Key));
            Assert.All(Enumerable.Range(0, 61), key => Assert.Equal(model.TryGetValue(key, out var value), table.TryGet(key, out var found) && found == value));
        }
    }, iter: 1_000, threads: 1);

    [Fact]
    public void Keys_of_one_hash_are_told_apart()
    {
        var edit = new SharedTable<string, int>(new OneHash()).Change();
        for (var key = 0; key < 100; key++)
        {
            edit.Set($"{key}", key);
        }

        edit.Remove("7");
        var table = edit.Done();
        Assert.True(table.TryGet("42", out var value) && value == 42);
        Assert.False(table.TryGet("7", out _));
        Assert.Equal(99, table.All.Count());
    }

    private sealed class OneHash : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => x == y;

        public int GetHashCode(string text) => 1;
    }
}
