using System.Globalization;

namespace Millrace.Simulation.Programs;

/// <summary>How a task is undone when its run does not complete: an effect that names the step, and perhaps something before and after it.</summary>
/// <param name="WaitMs">How long the handler waits first; 0: not at all.</param>
/// <param name="Failures">How often something else in it fails first.</param>
/// <param name="Breaks">It fails when everything is done, which keeps no other handler from running.</param>
internal sealed record Undo(int Tag, int WaitMs, int Failures, bool Breaks)
{
    public string Text(string name)
    {
        List<Node> before = [];
        if (WaitMs > 0) before.Add(new WaitNode($"{name}uw", WaitMs));
        if (Failures > 0) before.Add(new StubbornNode($"{name}us", Tag, Failures, 100));
        var undo = string.Create(CultureInfo.InvariantCulture,
            $$"""{ "{{name}}u": { "call": "{{Function}}", "with": { "n": "${ $compensated.output.n }", "tag": {{Tag}}, "step": "${ $compensated.step }" } } }""");
        List<string> all = [.. before.Select(n => n.Text), undo];
        if (Breaks) all.Add(new RaiseNode($"{name}ur", "tea").Text);
        return $$"""{ "compensate": [ {{string.Join(", ", all)}} ] }""";
    }

    public const string Function = "undo:1.0.0@default";
}
