using System.Globalization;
using System.Xml.Linq;
using Millrace.Jq;

namespace Millrace.Testing;

/// <summary>What came of many scenarios, for machines.</summary>
public sealed record ScenarioReport(IReadOnlyList<ScenarioResult> Results, TimeSpan Took)
{
    public bool Passed => Results.All(r => r.Passed);

    public Json ToJson() => new JsonObject.Builder()
        .Set("passed", Results.Count(r => r.Passed)).Set("failed", Results.Count(r => !r.Passed)).Set("seconds", Math.Round(Took.TotalSeconds, 3))
        .Set("scenarios", JsonArray.Of(Results.Select(One).ToArray())).Build();

    /// <summary>The format that build servers read: a suite for each file.</summary>
    public string ToJUnit() => new XDocument(new XElement("testsuites", Results.GroupBy(r => r.Scenario.File).Select(file => new XElement("testsuite",
        new XAttribute("name", file.Key), new XAttribute("tests", file.Count()), new XAttribute("failures", file.Count(r => !r.Passed)),
        file.Select(r => new XElement("testcase", new XAttribute("classname", file.Key), new XAttribute("name", Printable(r.Scenario.Name)),
            new XAttribute("time", r.Took.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture)),
            r.Passed ? null : new XElement("failure", new XAttribute("message", Printable(r.Failures[0])), Printable(string.Join('\n', r.Failures))))))))).ToString();

    private static Json One(ScenarioResult r) => new JsonObject.Builder()
        .Set("file", r.Scenario.File).Set("line", r.Scenario.Line).Set("name", r.Scenario.Name).Set("spec", r.Scenario.Spec).Set("passed", r.Passed)
        .Set("restarts", r.Restarts).Set("seconds", Math.Round(r.Took.TotalSeconds, 3)).Set("failures", JsonArray.Of(r.Failures.Select(f => (Json)f).ToArray())).Build();

    /// <summary>XML cannot hold every character.</summary>
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? '\uFFFD' : c));
}
