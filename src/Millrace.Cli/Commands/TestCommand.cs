using System.CommandLine;
using Millrace.Cli.Api;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;
using Millrace.Testing;
using Millrace.Testing.Scenarios;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace test</c>: plays the scenarios of workflows, in this process and without a server.</summary>
internal static class TestCommand
{
    private const int FilesMax = 5_000;

    private static readonly Argument<string[]> What = new("what") { Description = "Files of scenarios, or folders in which all *.scenarios.yaml are played.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string?> Named = new("--filter") { Description = "Only scenarios whose name or section holds this text.", HelpName = "text" };
    private static readonly Option<string?> JUnit = new("--junit") { Description = "Write the results into this file, in the format of JUnit.", HelpName = "file" };
    private static readonly Option<string?> Summary = new("--summary") { Description = "Write a page about the scenarios into this file: by section, each with its state. Markdown.", HelpName = "file" };
    private static readonly Option<bool> Everywhere = new("--restart-everywhere") { Description = "Play each scenario once more for each of its writes, with a crash after it." };
    private static readonly Option<bool> Verbose = new("--verbose", "-v") { Description = "Name the scenarios that passed as well." };

    public static Command Create(CommandLine line)
    {
        var command = new Verb("test", "Play scenarios: workflows with mocked calls and scripted events, on a clock of their own. Needs no server.",
            "millrace test samples", "millrace test orders.scenarios.yaml --filter 'too late' --restart-everywhere", "millrace test . --junit results.xml")
        { What, Named, JUnit, Summary, Everywhere, Verbose };
        line.Does(command, (session, parse, cancel) => Task.FromResult(Run(session, parse, cancel)));
        return command;
    }

    private static int Run(Session session, ParseResult parse, CancellationToken cancel)
    {
        var began = session.Terminal.Time.GetTimestamp();
        var files = Files(parse.GetRequiredValue(What)).Select(f => ScenarioReader.Read(f, TextFile.Read(f, DefinitionFiles.BytesMax))).ToList();
        var wrong = files.Where(f => f.Scenarios.Count == 0).ToList();
        foreach (var file in wrong) Refuse(session, file);
        var filter = parse.GetValue(Named);
        var chosen = files.SelectMany(f => f.Scenarios)
            .Where(s => filter is null || s.Name.Contains(filter, StringComparison.OrdinalIgnoreCase) || s.Spec.Contains(filter, StringComparison.OrdinalIgnoreCase)).ToList();
        if (chosen.Count == 0 && wrong.Count == 0) throw new UsageException(filter is null ? "There are no scenarios there." : $"No scenario there is about '{filter}'.");
        // Each is played on one thread from its beginning to its end.
        var results = chosen.AsParallel().AsOrdered().WithCancellation(cancel).Select(s => ScenarioRunner.Run(s, parse.GetValue(Everywhere))).ToList();
        var report = new ScenarioReport(results, session.Terminal.Time.GetElapsedTime(began));
        if (parse.GetValue(JUnit) is { } junit) File.WriteAllText(junit, report.ToJUnit());
        if (parse.GetValue(Summary) is { } summary) File.WriteAllText(summary, ScenarioSummary.Of(results, MustsOf(parse.GetRequiredValue(What))));
        if (session.Json) session.Terminal.Print(report.ToJson());
        else new ScenarioView(session.Terminal, parse.GetValue(Verbose)).Draw(report);
        return wrong.Count > 0 ? Exit.Refused : report.Passed ? Exit.Completed : Exit.Faulted;
    }

    /// <summary>Lists in the folders of what a specification asks for.</summary>
    /// <exception cref="UsageException">One cannot be read.</exception>
    private static List<Must> MustsOf(IEnumerable<string> what)
    {
        var musts = new List<Must>();
        foreach (var file in what.Where(Directory.Exists).SelectMany(f => Directory.EnumerateFiles(f, Musts.Pattern, SearchOption.AllDirectories)).Order(StringComparer.Ordinal).Take(FilesMax))
        {
            try
            {
                musts.AddRange(Musts.Read(TextFile.Read(file, DefinitionFiles.BytesMax)));
            }
            catch (InvalidDataException e)
            {
                throw new UsageException($"{file}: {e.Message}");
            }
        }
        return musts;
    }

    private static void Refuse(Session session, ScenarioFile file)
    {
        var findings = file.Findings.Select(d => JsonObject.Empty.With("severity", "error").With("code", d.Code).With("message", d.Message).With("line", d.Line)
            .With("column", d.Column).With("pointer", d.Pointer).With("expected", d.Expected)).Select(f => (Json)f).ToList();
        if (session.Json) session.Terminal.Error.WriteLine(Json.Object("file", file.Path, "errors", JsonArray.Of(findings)).ToString());
        else new FindingView(session.Terminal, session.Terminal.Error).Draw(Finding.List(JsonArray.Of(findings)), file.Path, file.Source);
    }

    /// <exception cref="UsageException">Something named is not there.</exception>
    private static List<string> Files(IEnumerable<string> what)
    {
        var files = new List<string>();
        foreach (var path in what)
        {
            if (Directory.Exists(path)) files.AddRange(Directory.EnumerateFiles(path, "*.scenarios.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Take(FilesMax));
            else files.Add(path);
        }
        return files.Count > 0 ? [.. files.Distinct()] : throw new UsageException("There is no *.scenarios.yaml there.");
    }
}
