using System.Globalization;
using StatusDaemon.Load;

return args switch
{
    [LoadCommand.Crowd] => CrowdProgram.Run(Console.In, Console.Out),
    [LoadCommand.KestrelPeer, var port] => await KestrelPeer.RunAsync(int.Parse(port, CultureInfo.InvariantCulture)),
    _ => await new LoadCommand().RunAsync(args, Console.Out, Console.Error),
};
