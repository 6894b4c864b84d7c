using System.Globalization;
using Millrace.Testing;

namespace Millrace.Cli.Views;

/// <summary>Draws what came of scenarios: those that failed with how, and a line that counts them.</summary>
internal sealed class ScenarioView(Terminal terminal, bool verbose)
{
    public void Draw(ScenarioReport report)
    {
        foreach (var file in report.Results.GroupBy(r => r.Scenario.File))
        {
            if (!verbose && file.All(r => r.Passed))
            {
                terminal.Line($"{terminal.Paint("ok", Ink.Good)}    {file.Key} ({file.Count()})");
                continue;
            }
            terminal.Line(terminal.Paint(file.Key, Ink.Strong));
            foreach (var result in file) Draw(result);
        }
        var failed = report.Results.Count(r => !r.Passed);
        var restarts = report.Results.Sum(r => r.Restarts);
        terminal.Line(string.Create(CultureInfo.InvariantCulture,
            $"{report.Results.Count - failed} passed, {failed} failed{(restarts == 0 ? "" : $", {restarts} restarts")} in {report.Took.TotalSeconds:0.0} s"));
    }

    private void Draw(ScenarioResult result)
    {
        if (result.Passed)
        {
            if (verbose) terminal.Line($"  {terminal.Paint("ok", Ink.Good)}   {Terminal.Clean(result.Scenario.Name)}{(result.Restarts > 0 ? $" ({result.Restarts} restarts)" : "")}");
            return;
        }
        terminal.Line($"  {terminal.Paint("FAIL", Ink.Bad)} {Terminal.Clean(result.Scenario.Name)}  {terminal.Paint($"{result.Scenario.File}:{result.Scenario.Line}", Ink.Faint)}");
        foreach (var failure in result.Failures) terminal.Line($"       {Terminal.Clean(failure)}");
    }
}
