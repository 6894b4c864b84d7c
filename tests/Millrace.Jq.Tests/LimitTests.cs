namespace Millrace.Jq.Tests;

public class LimitTests
{
    private static string CodeOf(string filter, string input = "null", JqOptions? options = null) =>
        Assert.Throws<JqLimitException>(() => JqProgram.Compile(filter).Evaluate(JsonText.Parse(input), default, options ?? Run.Limited()).Count()).Code;

    [Theory]
    [InlineData("def f: f; f")]
    [InlineData("def f: def g: f; g; f")]
    [InlineData("until(false; .)")]
    [InlineData("repeat(1) | select(. == 2)")]
    [InlineData("last(repeat(1))")]
    [InlineData("[range(1e10) | empty]")]
    [InlineData("first(range(1e10) | select(. < 0))")]
    [InlineData("any(range(1e10); . < 0)")]
    [InlineData("reduce range(100) as $i ([1]; [., .]) | . == [.[]]")]
    [InlineData("reduce range(100) as $i ([1]; [., .]) | [., .] | sort")]
    [InlineData("[range(1e4)] as $x | [range(1e4)] as $y | until($x != $y; .)")]
    [InlineData("reduce range(1e10) as $i (0; . + 1)")]
    [InlineData("label $out | foreach repeat(1) as $i (0; . + $i; if . < 0 then break $out else empty end)")]
    public void A_filter_that_never_ends_is_stopped_by_the_steps(string filter) => Assert.Equal("jq.limit.steps", CodeOf(filter));

    [Theory]
    [InlineData("def f: 1 + f; f")]
    [InlineData("def f: [f]; f")]
    [InlineData("def f: {a: f}; f")]
    [InlineData("def f: f | f; f")]
    [InlineData("def f(g): f(g) + g; f(.)")]
    [InlineData("def f: path(f); f")]
    [InlineData("def f: (.a |= f); f")]
    [InlineData("def f: try f catch f; f | 1 + f")]
    [InlineData("def f: reduce f as $x (0; 1); f")]
    public void Recursion_that_waits_for_itself_is_stopped_by_the_depth(string filter) => Assert.Equal("jq.limit.depth", CodeOf(filter));

    [Fact]
    public void Branches_left_behind_without_end_are_stopped_by_the_depth() =>
        Assert.Equal("jq.limit.depth", CodeOf("def f: f, 1; f", options: Run.Limited(steps: 10_000_000, bytes: 1 << 30)));

    [Theory]
    [InlineData("[range(1e10)]")]
    [InlineData("[limit(1e9; repeat(1))]")]
    [InlineData("\"x\" * 1e9")]
    [InlineData("reduce range(100) as $i (\"ab\"; . + .)")]
    [InlineData("reduce range(100) as $i ([1]; . + .)")]
    [InlineData("reduce range(100) as $i ([1]; [.[], .[]])")]
    [InlineData(".[500000000] = 1")]
    [InlineData("reduce range(100) as $i ([1]; [., .])")]
    [InlineData("reduce range(100) as $i ([1]; [., .]) | flatten")]
    [InlineData("reduce range(100) as $i ([1]; [., .]) | [.., 1] | length")]
    [InlineData("reduce range(100) as $i ([1]; [., .]) | tojson")]
    [InlineData("reduce range(100) as $i ({a: 1}; {a: ., b: .}) | first(., 1)")]
    [InlineData("\"x\" * 1e6 | [range(1e6) as $i | ltrimstr(\"x\")]")]
    [InlineData("\" \" + \"x\" * 1e6 | [range(1e6) as $i | trim]")]
    [InlineData("[1] | implode * 1e6 | tojson")]
    [InlineData("[range(1e10) | {a: .}]")]
    [InlineData("[range(1e10) | tostring]")]
    [InlineData("[range(1e10) | 65] | implode")]
    [InlineData("[limit(1e9; repeat(\"abcdefgh\"))] | add")]
    [InlineData("{a: (\"x\" * 1000)} as $o | [range(1e9) | $o + {b: .} | tojson]")]
    [InlineData("def f(g): f(g | g); f(. + 1)")]
    [InlineData("def f: .a | f; path(f)")]
    [InlineData("[range(300) | \"x\" * 3000 | @base64, @uri, explode]")]
    [InlineData("reduce range(1e9) as $i ({}; .[$i | tostring] = $i)")]
    public void A_filter_that_takes_ever_more_memory_is_stopped_by_the_output(string filter) => Assert.Equal("jq.limit.output", CodeOf(filter, options: Run.Limited(steps: 50_000_000)));

    [Theory]
    [InlineData("\"a\" * 40 | test(\"(a+)+b\")")]
    [InlineData("[range(1000) | \"a\" * 22 | test(\"^(a|a|aa)+$\\\\b!\")]")]
    [InlineData("\"x\" * 30 | [match(\"(x*)*y\"; \"g\")]")]
    public void Fault_25_a_pattern_that_goes_back_forever_is_stopped_by_its_time(string filter) => Assert.Equal("jq.limit.regex", CodeOf(filter));

    [Theory]
    [InlineData("try (def f: f; f) catch 1", "jq.limit.steps")]
    [InlineData("(def f: 1 + f; f)?", "jq.limit.depth")]
    [InlineData("[range(1e10)]? // 1", "jq.limit.output")]
    [InlineData(". as [$a] ?// $a | [range(1e10)]", "jq.limit.output")]
    public void A_limit_cannot_be_caught(string filter, string code) => Assert.Equal(code, CodeOf(filter, options: Run.Limited(steps: 50_000_000)));

    [Fact]
    public void First_is_limited_as_well()
    {
        Assert.Equal("jq.limit.steps", Assert.Throws<JqLimitException>(() => Run.First("[.[] | .] | until(false; .)", "[1]", Run.Limited())).Code);
        Assert.Equal("jq.limit.steps", Assert.Throws<JqLimitException>(() => Run.First("reduce range(1e9) as $i (0; .)", options: Run.Limited())).Code);
    }

    [Theory]
    [InlineData("[range(1000) | tostring] | add | length", 10_000)]
    [InlineData("[recurse(if . < 2000 then . + 1 else empty end)] | length", 30_000)]
    public void The_same_number_of_steps_always_suffices(string filter, long enough)
    {
        long Least()
        {
            long low = 0, high = enough;
            while (low + 1 < high)
            {
                var middle = (low + high) / 2;
                try
                {
                    Run.First(filter, "0", Run.Limited(steps: middle));
                    high = middle;
                }
                catch (JqLimitException)
                {
                    low = middle;
                }
            }
            return high;
        }
        var least = Least();
        Assert.InRange(least, 2, enough - 1);
        Assert.Equal(least, Least());
    }

    [Fact]
    public void Calls_in_tail_position_take_no_depth()
    {
        Assert.Equal("100001", Run.Text("[recurse(if . < 100000 then . + 1 else empty end)] | length", "0", Run.Limited(steps: 10_000_000, bytes: 64 << 20)));
        Assert.Equal("100000", Run.Text("def f: if . < 100000 then . + 1 | f else . end; f", "0", Run.Limited(steps: 10_000_000, depth: 10)));
        Assert.Equal("99999", Run.Text("last(range(100000))", options: Run.Limited(steps: 10_000_000, depth: 10)));
    }

    [Fact]
    public void Garbage_does_not_count_as_output()
    {
        var options = Run.Limited(steps: 50_000_000, bytes: 1 << 20);
        Assert.Equal("10", Run.Text("reduce range(20000) as $i (0; \"x\" * 1000 | length) | . / 100", options: options));
        Assert.Equal("200", Run.Text("def f: if . < 200 then [range(1000)] as $x | . + 1 | f else . end; f", "0", options));
    }

    [Fact]
    public void Building_large_values_item_by_item_takes_steps_in_proportion()
    {
        var options = Run.Limited(steps: 3_000_000, bytes: 64 << 20);
        Assert.Equal("100000", Run.Text("reduce range(100000) as $i ({}; .[$i | tostring] = $i) | length", options: options));
        Assert.Equal("100000", Run.Text("reduce range(100000) as $i ([]; . + [$i]) | length", options: options));
        Assert.Equal("100000", Run.Text("reduce range(100000) as $i ([]; .[$i] = $i) | length", options: options));
        Assert.Equal("2000", Run.Text("reduce range(100000) as $i ({}; .[$i % 2000 | tostring] += 1) | length", options: options with { Limits = options.Limits with { StepsMax = 5_000_000 } }));
    }

    [Theory]
    [InlineData("reduce range(100000) as $_ (0; [.]) | tojson | length > 20000")]
    [InlineData("reduce range(100000) as $_ (0; {a: .}) | [.. | numbers] | length")]
    [InlineData("try (reduce range(100000) as $_ (0; [.]) | . == .) catch 1")]
    [InlineData("reduce range(100000) as $_ (0; [.]) | flatten")]
    [InlineData("try (\"[\" * 1e5 | fromjson) catch 1")]
    [InlineData("try (reduce range(100000) as $_ (0; [.]) | [., .] | unique) catch 1")]
    [InlineData("try (reduce range(100000) as $_ (0; [.]) | walk(.)) catch 1")]
    public void Values_nested_without_end_do_not_break_the_process(string filter)
    {
        try
        {
            Assert.NotEmpty(JqProgram.Compile(filter).Evaluate(default, default, Run.Limited(steps: 20_000_000, depth: 10_000, bytes: 256 << 20)).ToList());
        }
        catch (JqLimitException e)
        {
            Assert.StartsWith("jq.limit.", e.Code, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_thread_with_little_stack_suffices()
    {
        string[] filters =
        [
            "def f: 1 + f; f", "reduce range(9999) as $_ (0; [.]) | tojson | fromjson | [., .] | sort | length",
            string.Concat(Enumerable.Repeat("[", 500)) + string.Concat(Enumerable.Repeat("]", 500)),
            string.Join(" | ", Enumerable.Repeat(".", 500)), string.Join(" + ", Enumerable.Repeat("1", 500)),
        ];
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                foreach (var filter in filters)
                {
                    try
                    {
                        Run.Text(filter, options: Run.Limited(steps: 20_000_000, depth: 10_000, bytes: 256 << 20));
                    }
                    catch (Exception e) when (e is JqLimitException or JqException)
                    {
                    }
                    catch (Exception e)
                    {
                        failure = e;
                    }
                }
            },
            256 << 10);
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    [Theory]
    [InlineData("(", 100_000)]
    [InlineData("[", 100_000)]
    [InlineData("{a:", 100_000)]
    [InlineData("-", 100_000)]
    [InlineData("1 + ", 100_000)]
    [InlineData(". | ", 100_000)]
    [InlineData("try ", 100_000)]
    [InlineData("if . then ", 100_000)]
    [InlineData("def f: ", 100_000)]
    [InlineData("\"\\(", 100_000)]
    [InlineData(". as [", 100_000)]
    [InlineData("reduce . as $x (", 50_000)]
    public void A_filter_nested_without_end_is_refused(string piece, int times) =>
        Assert.Throws<JqCompileException>(() => JqProgram.Compile(string.Concat(Enumerable.Repeat(piece, times)) + "1"));

    [Fact]
    public void Functions_that_multiply_are_not_written_out_without_end()
    {
        var doubling = string.Concat(Enumerable.Range(0, 40).Select(i => $"def f{i + 1}: f{i}, f{i}; "));
        Assert.Equal("1", JqProgram.Compile($"def f0: 1; {doubling} first(f40)").First(default).ToString());
        var nested = string.Concat(Enumerable.Repeat("g(", 300)) + "." + string.Concat(Enumerable.Repeat(")", 300));
        Assert.Equal("1", JqProgram.Compile($"def g(f): f, f; first({nested})").First(1).ToString());
    }
}
