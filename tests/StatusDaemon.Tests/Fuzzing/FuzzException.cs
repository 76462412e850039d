namespace StatusDaemon.Fuzzing;

/// <summary>A seed for which the product and the model differ.</summary>
internal sealed class FuzzException(int seed, string what) : Exception($"seed {seed}: {what}\nagain: dotnet run -c Release --project bench/fuzz -- --seed {seed} --cases 1");
