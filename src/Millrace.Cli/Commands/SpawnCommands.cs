using System.CommandLine;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary>The verbs of <c>millrace runs</c> that act on the children of a map or a swarm.</summary>
internal static class SpawnCommands
{
    private static readonly Argument<int> Step = new("step") { Description = "The step's number, as 'runs steps' lists it." };
    private static readonly Argument<int> Concurrency = new("children") { Description = "Children that may be under way at once, 1 to 1000." };

    public static void AddTo(Command runs, CommandLine line)
    {
        runs.Add(line.With(new Verb("concurrency", "Change how many children of a map or a swarm are under way at once.", "millrace runs concurrency 019a… 3 50")
        {
            RunsCommands.Id, Step, Concurrency,
        }, ChangeAsync));
        runs.Add(line.With(new Verb("redrive", "Take a run that has ended back to a map or a swarm: what did not complete is carried out again, and what follows the step too.", "millrace runs redrive 019a… 3")
        {
            RunsCommands.Id, Step,
        }, RedriveAsync));
    }

    private static async Task<int> ChangeAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var wanted = parse.GetValue(Concurrency);
        var (_, step) = await session.Client.PutAsync(RunsCommands.Path(parse, $"/steps/{parse.GetValue(Step)}/concurrency"), Json.Object("concurrency", wanted), cancel);
        if (session.Json) session.Terminal.Print(step);
        else session.Terminal.Line($"step {step["id"]}: at most {wanted} children at once");
        return Exit.Completed;
    }

    private static async Task<int> RedriveAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var (_, run) = await session.Client.PostAsync(RunsCommands.Path(parse, $"/steps/{parse.GetValue(Step)}/redrive"), Json.EmptyObject, null, cancel);
        if (session.Json) session.Terminal.Print(run);
        else session.Terminal.Line($"run {run["id"].StringOrNull} {run["state"].StringOrNull}");
        return Exit.Completed;
    }
}
