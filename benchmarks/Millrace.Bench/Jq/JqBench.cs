using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Millrace.Jq;

namespace Millrace.Bench.Jq;

/// <summary>
/// How many workflow expressions one core evaluates in a second, on a small document in memory; and how that compares
/// with starting the <c>jq</c> program for each, which is what a platform without a jq of its own does.
/// </summary>
public static class JqBench
{
    private const double WarmSeconds = 0.4;
    private const double MeasuredSeconds = 1;
    private const int ProcessRuns = 60;
    private const int Batch = 500;

    private const string Document = """
        {"a":{"b":{"c":1}},"n":41,"name":"Ada","done":false,"tags":["x","y","z"],"total":null,
         "items":[{"id":1,"name":"one","price":3.5,"open":true},{"id":2,"name":"two","price":1.25,"open":false},
                  {"id":3,"name":"three","price":9,"open":true},{"id":4,"name":"four","price":0.5,"open":true},{"id":5,"name":"five","price":7.75,"open":false}]}
        """;

    /// <summary>The first four are the simple ones that <c>jq.evals_per_s</c> is the geometric mean of.</summary>
    private static readonly (string Name, string Filter)[] Filters =
    [
        ("field", ".a.b"),
        ("add", ".n + 1"),
        ("object", "{x: .n, y: (.name | length)}"),
        ("select", ".items[] | select(.id == 3) | .name"),
        ("condition", "if .done then \"done\" elif .n > 40 then \"late\" else \"open\" end"),
        ("default", ".total // .a.missing // 0"),
        ("text", "\"\\(.name) has \\(.items | length) items\""),
        ("map", "[.items[] | select(.open) | {id, price: (.price * 2)}]"),
        ("sum", "reduce .items[] as $i (0; . + $i.price)"),
        ("update", ".items[0].price |= . + 1 | .done = true"),
    ];

    private static int _compiled;

    private const string ProcessFilter = ".items[] | select(.id == 3) | .name";

    /// <param name="json">One JSON line a figure instead of text for people.</param>
    public static void Run(bool json)
    {
        var document = JsonText.Parse(Document);
        var figures = new List<Figure>();
        foreach (var (name, filter) in Filters)
        {
            var program = JqProgram.Compile(filter);
            figures.Add(new($"jq.filter.{name}_per_s", PerSecond(() => program.First(document)), "1/s", filter));
        }
        var simple = Math.Exp(figures.Take(4).Average(f => Math.Log(f.Value)));
        figures.Insert(0, new("jq.evals_per_s", simple, "1/s", "one thread, geometric mean of field, add, object and select"));
        figures.Add(new("jq.compile_per_s", PerSecond(CompileNew), "1/s", "a filter not compiled before"));
        Compare(figures);
        foreach (var figure in figures) Console.WriteLine(json ? figure.ToJson() : figure.ToText());
    }

    private static Json CompileNew() => JqProgram.Compile($".items[] | select(.id == {_compiled++}) | .name").Source;

    /// <summary>Text in, text out on both sides, so that reading and writing count for both.</summary>
    private static void Compare(List<Figure> figures)
    {
        var program = JqProgram.Compile(ProcessFilter);
        var inProcess = PerSecond(() => JsonText.Parse(program.First(JsonText.Parse(Document)).ToString()));
        figures.Add(new("jq.text_evals_per_s", inProcess, "1/s", $"parse, {ProcessFilter}, write"));
        if (Spawned() is not { } spawned)
        {
            Console.Error.WriteLine("The jq program is not installed: no comparison with it.");
            return;
        }
        figures.Add(new("jq.process_evals_per_s", spawned, "1/s", $"one jq process for each evaluation, {ProcessRuns} runs"));
        figures.Add(new("jq.process_ratio", inProcess / spawned, "x", "evaluations in process against one jq process for each"));
    }

    private static double? Spawned()
    {
        try
        {
            Spawn();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < ProcessRuns; i++) Spawn();
        return ProcessRuns / watch.Elapsed.TotalSeconds;
    }

    private static void Spawn()
    {
        var start = new ProcessStartInfo("jq") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(ProcessFilter);
        using var process = Process.Start(start)!;
        process.StandardInput.Write(Document);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (output != "\"three\"\n") throw new InvalidOperationException($"jq answered {output}");
    }

    private static double PerSecond(Func<Json> evaluate)
    {
        Measure(evaluate, WarmSeconds);
        // The best of three: others share the machine.
        return Enumerable.Range(0, 3).Max(_ => Measure(evaluate, MeasuredSeconds / 3));
    }

    private static double Measure(Func<Json> evaluate, double seconds)
    {
        var count = 0L;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            for (var i = 0; i < Batch; i++) evaluate();
            count += Batch;
        }
        return count / watch.Elapsed.TotalSeconds;
    }

    private sealed record Figure(string Metric, double Value, string Unit, string Settings)
    {
        public string ToJson() => JsonSerializer.Serialize(new { metric = Metric, value = Math.Round(Value, 2), unit = Unit, settings = Settings });

        public string ToText() => string.Create(CultureInfo.InvariantCulture, $"{Metric,-28} {Value,14:N0} {Unit,-4} {Settings}");
    }
}
