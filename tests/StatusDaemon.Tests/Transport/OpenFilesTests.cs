namespace StatusDaemon.Transport;

public sealed class OpenFilesTests
{
    [Theory]
    [InlineData("Max open files            1024                 20000                files     ", 1024)]
    [InlineData("Max open files            unlimited            unlimited            files     ", int.MaxValue)]
    [InlineData("Max processes             100                  100                  processes ", int.MaxValue)]
    public void The_soft_limit_counts(string line, int limit) =>
        Assert.Equal(limit, OpenFiles.LimitIn(["Limit                     Soft Limit           Hard Limit           Units     ", line]));
}
