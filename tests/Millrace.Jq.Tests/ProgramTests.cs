namespace Millrace.Jq.Tests;

public class ProgramTests
{
    [Fact]
    public void Variables_are_those_the_filter_reads_in_the_order_of_declaration()
    {
        var program = JqProgram.Compile("[$c, $a] | . + [$c]", ["a", "b", "c", "d"]);
        Assert.Equal(["a", "c"], program.Variables);
        Assert.Equal("[3,1,3]", program.First(default, [1, 3]).ToString());
        Assert.Equal("[3,1,3]", program.Evaluate(default, new Json[] { 1, 3 }).Single().ToString());
    }

    [Fact]
    public void A_variable_bound_in_the_filter_hides_the_callers()
    {
        var program = JqProgram.Compile("1 as $a | $a", ["a"]);
        Assert.Empty(program.Variables);
        Assert.Equal("1", program.First(default).ToString());
    }

    [Fact]
    public void Too_few_values_are_refused() =>
        Assert.Throws<ArgumentException>(() => JqProgram.Compile("$a", ["a"]).First(default));

    [Theory]
    [InlineData("empty")]
    [InlineData(".[] | select(. > 9)")]
    [InlineData("label $x | break $x")]
    public void First_is_null_when_there_is_no_output(string filter) => Assert.True(Run.First(filter, "[1,2]").IsNull);

    [Fact]
    public void First_takes_no_more_than_the_first_output()
    {
        Assert.Equal("1", Run.First("1, error(\"not reached\")").ToString());
        Assert.Equal("2", Run.First(".[], error(\"not reached\")", "[2]").ToString());
    }

    [Fact]
    public void Outputs_before_an_error_are_handed_out()
    {
        using var outputs = JqProgram.Compile("1, 2, error(\"stop\")").Evaluate(default).GetEnumerator();
        Assert.True(outputs.MoveNext());
        Assert.True(outputs.MoveNext());
        Assert.Equal("stop", Assert.Throws<JqException>(() => outputs.MoveNext()).Message);
    }

    [Theory]
    [InlineData("error(\"plain\")", "plain", "\"plain\"")]
    [InlineData("error({a:1})", "(not a string): {\"a\":1}", "{\"a\":1}")]
    [InlineData("error(null)", "(not a string): null", "null")]
    [InlineData(".a", "Cannot index number with string (\"a\")", "\"Cannot index number with string (\\\"a\\\")\"")]
    [InlineData(".[] | .x", "Cannot iterate over number (5)", "\"Cannot iterate over number (5)\"")]
    public void An_error_carries_its_value_and_a_text(string filter, string message, string value)
    {
        var error = Assert.Throws<JqException>(() => Run.First(filter, "5"));
        Assert.Equal(message, error.Message);
        Assert.Equal(value, error.Value.ToString());
    }

    [Theory]
    [InlineData(".a |\n  foo(1)", 2, 3, "foo/1 is not defined")]
    [InlineData("$x", 1, 1, "$x is not defined")]
    [InlineData("1 as $y | (\n\n$x)", 3, 1, "$x is not defined")]
    [InlineData("{", 1, 1, "syntax error, unexpected end of file")]
    [InlineData("import \"a\" as a; .", 1, 1, "Modules are not supported: 'import' needs files")]
    [InlineData("def f(g): g; f", 1, 14, "f/0 is not defined")]
    [InlineData("def unused: $z; 1", 1, 13, "$z is not defined")]
    public void A_filter_that_does_not_compile_says_where(string filter, int line, int column, string message)
    {
        var error = Assert.Throws<JqCompileException>(() => JqProgram.Compile(filter));
        Assert.Equal((line, column, message), (error.Line, error.Column, error.Message));
    }

    [Fact]
    public void The_same_text_is_compiled_once()
    {
        Assert.Same(JqProgram.Compile(".once.only | $v", ["v"]), JqProgram.Compile(".once.only | $v", ["v"]));
        Assert.NotSame(JqProgram.Compile(".once.only", ["v"]), JqProgram.Compile(".once.only", ["v", "w"]));
    }

    [Fact]
    public void Now_environment_and_zone_come_from_the_options()
    {
        var options = new JqOptions
        {
            Now = 1_700_000_000.5,
            Environment = Json.Object("HOME", "/x"),
            LocalTimeZone = TimeZoneInfo.CreateCustomTimeZone("t", TimeSpan.FromHours(2), "T", "TST"),
        };
        Assert.Equal("[1700000000.5,\"/x\",\"/x\"]", Run.Text("[now, env.HOME, $ENV.HOME]", options: options));
        Assert.Equal("[0,{}]", Run.Text("[now, $ENV]"));
        Assert.Equal("\"02:00 TST +0200\"", Run.Text("0 | strflocaltime(\"%H:%M %Z %z\")", options: options));
        Assert.Equal("2", Run.Text("0 | localtime[3]", options: options));
        Assert.Equal("0", Run.Text("0 | localtime[3]"));
    }

    [Fact]
    public void Debug_and_stderr_pass_values_on_to_the_sink()
    {
        var seen = new List<string>();
        var options = new JqOptions { Messages = (kind, value) => seen.Add($"{kind} {value}") };
        Assert.Equal("3", Run.Text("debug | stderr | debug(\"at \\(.)\")", "3", options));
        Assert.Equal(["debug 3", "stderr 3", "debug \"at 3\""], seen);
    }

    [Fact]
    public void Inputs_come_from_the_options()
    {
        var left = new Queue<Json>([2, 3]);
        var options = new JqOptions { NextInput = () => left.TryDequeue(out var next) ? next : default(Json?) };
        Assert.Equal("[1,2,[3]]", Run.Text("[., input, [inputs]]", "1", options));
        Assert.Equal("[]", Run.Text("[inputs]"));
    }

    [Fact]
    public void Halt_is_for_the_command_only() => Assert.Throws<JqException>(() => Run.First("halt"));

    [Fact]
    public void One_program_serves_many_threads_at_once()
    {
        var program = JqProgram.Compile("[.items[] | select(.n % $m == 0) | .n] | [length, add] | . as [$a, $b] | def f: if . < 50 then . + 1 | f else . end; {$a, $b, c: (0 | f)}", ["m"]);
        var items = JsonText.Parse("{\"items\":[" + string.Join(',', Enumerable.Range(0, 200).Select(i => $"{{\"n\":{i}}}")) + "]}");
        Parallel.For(1, 500, i =>
        {
            var m = i % 9 + 1;
            var wanted = Enumerable.Range(0, 200).Where(n => n % m == 0).ToList();
            var expected = $"{{\"a\":{wanted.Count},\"b\":{wanted.Sum()},\"c\":50}}";
            Assert.Equal(expected, program.First(items, [m]).ToString());
            Assert.Equal(expected, program.Evaluate(items, new Json[] { m }).Single().ToString());
        });
    }

    [Fact]
    public void Evaluations_may_be_interleaved()
    {
        var program = JqProgram.Compile("range(.) as $x | [$x, .]");
        var both = program.Evaluate(3).Zip(program.Evaluate(2), (a, b) => $"{a}{b}").ToList();
        Assert.Equal(["[0,3][0,2]", "[1,3][1,2]"], both);
    }

    [Fact]
    public void A_value_shared_by_threads_stays_what_it_is()
    {
        var shared = JsonText.Parse("{\"list\":[1,2,3]," + string.Join(',', Enumerable.Range(0, 40).Select(i => $"\"k{i}\":{i}")) + "}");
        var before = shared.ToString();
        var program = JqProgram.Compile("reduce range(50) as $i (.; .list += [$i + $n] | .[\"n\\($n)_\\($i)\"] = $i) | [.list[-1], length]", ["n"]);
        Parallel.For(0, 200, n => Assert.Equal($"[{49 + n},91]", program.First(shared, [n]).ToString()));
        Assert.Equal(before, shared.ToString());
    }
}
