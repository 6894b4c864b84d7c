using System.CommandLine;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace system</c>: the server's version, shape and counts.</summary>
internal static class SystemCommand
{
    public static Command Create(CommandLine line)
    {
        var command = new Verb("system", "Show the server's version, shape and counts of runs.", "millrace system", "millrace system --server http://127.0.0.1:9000 --json");
        line.Does(command, async (session, _, cancel) =>
        {
            var system = await session.Client.GetAsync("api/v1/system", cancel);
            if (session.Json) session.Terminal.Print(system);
            else session.Terminal.PrintIndented(system);
            return Exit.Completed;
        });
        return command;
    }
}
