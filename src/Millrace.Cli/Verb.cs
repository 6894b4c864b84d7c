using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Millrace.Cli;

/// <summary>A command with the examples its help shows.</summary>
internal sealed class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>The usual help, followed by the command's examples.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    private const string ExitCodes = """
        Exit codes:
          0  the run completed, or the command did what it was asked
          1  the run faulted
          2  a document, an input or the command line is wrong, or the server refused
          3  the run was cancelled
          4  the server cannot be reached
        """;

    public override int Invoke(ParseResult parse)
    {
        help.Invoke(parse);
        var output = parse.InvocationConfiguration.Output;
        if (parse.CommandResult.Command is Verb { Examples.Count: > 0 } verb)
        {
            output.WriteLine("Examples:");
            foreach (var example in verb.Examples) output.WriteLine($"  {example}");
            output.WriteLine();
        }
        if (parse.CommandResult.Command is RootCommand) output.WriteLine(ExitCodes);
        return Exit.Completed;
    }
}
