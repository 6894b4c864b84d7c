using Millrace.Jq.Evaluation;
using Millrace.Jq.Syntax;
using Millrace.Jq.Text;

namespace Millrace.Jq.Compilation;

/// <summary>
/// Turns a resolved filter into expressions and steps. Functions that do not call themselves are written out where they
/// are called, so that most filters become one expression; the others get frames.
/// </summary>
internal sealed partial class Compiler
{
    /// <summary>Expressions higher than this are cut into steps, so that evaluating takes little stack.</summary>
    public const int HeightMax = 200;

    private const int NodesMax = 200_000;
    private const int WrittenNodesMax = 20_000;
    private const int WrittenDepthMax = 300;
    private const int DepthMax = 1_500;

    private readonly Queue<Action> _pending = new();
    private readonly Dictionary<(Node, Scope, FunctionBuilder), FunctionBuilder> _arguments = [];
    private readonly Dictionary<Definition, DefinitionPlace> _prelude = [];
    private readonly FunctionBuilder _main = new(null);
    private int[] _globals = [];
    private int _nodes;
    private int _depth;

    private Compiler()
    {
    }

    /// <param name="node">A resolved filter.</param>
    /// <param name="globals">For each of the caller's variables, its place among those that are used.</param>
    public static Function Compile(Node node, int[] globals)
    {
        var compiler = new Compiler { _globals = globals };
        var code = compiler.Values(node, new Context(Scope.Root, compiler._main));
        compiler._main.Function.Single = code.Single;
        compiler._main.Function.First = code.Single ?? (code.Loop is { Height: < HeightMax } loop ? new FirstExpression(loop) : null);
        if (code.Single is null) compiler._main.Function.Values = code.Emit(OutputOp.Instance);
        while (compiler._pending.TryDequeue(out var next))
        {
            compiler._depth = 0;
            next();
        }
        return compiler._main.Function;
    }

    /// <summary>Compiles a filter for its values.</summary>
    private Code Values(Node node, Context c)
    {
        Enter(node);
        var code = Folding.Constant(node) is { } constant ? Constant(constant)
            : DeepStack.IsShort() ? DeepStack.Run(() => ValuesOf(node, c)) : ValuesOf(node, c);
        _depth--;
        return code;
    }

    private Code ValuesOf(Node node, Context c) => node switch
    {
        IdentityNode => new Code(IdentityExpression.Instance),
        TemplateNode template => Template(template, c),
        FormatNode format => new Code(new FormatExpression(format.Format)),
        IndexNode index => Index(index, c),
        SliceNode slice => Slice(slice, c),
        IterateNode iterate => Iterate(iterate, c),
        ArrayNode array => Array(array, c),
        ObjectNode record => Object(record, c),
        PipeNode pipe => Pipe(Values(pipe.Left, c), Values(pipe.Right, c)),
        CommaNode comma => Comma([.. comma.Items.Select(item => Values(item, c))]),
        NegateNode negate => Operands([Values(negate.Body, c)], c, (e, _) => new NegateExpression(e[0])),
        BinaryNode binary => Operands([Values(binary.Right, c), Values(binary.Left, c)], c, (e, _) => new BinaryExpression(binary.Operator, e[1], e[0])),
        LogicNode logic => Logic(logic, c),
        AlternativeNode either => Alternative(Values(either.Left, c), Values(either.Right, c), c),
        UpdateNode update => Update(update, c),
        IfNode choice => If(choice, c, Values),
        TryNode attempt => Try(attempt, c, Values),
        ReduceNode reduce => Reduce(reduce, c, Values),
        ForeachNode each => Foreach(each, c, Values),
        BindNode bind => Bind(Values(bind.Source, c), bind.Patterns, c, inner => Values(bind.Body, inner)),
        LabelNode label => Label(label, c, Values),
        BreakNode leave => Break(leave, c),
        VariableNode variable => Variable(variable, c),
        DefinitionNode definition => Values(definition.Rest, Define(definition.Definition, c)),
        CallNode call => Call(call, c),
        _ => throw new InvalidOperationException(node.GetType().Name),
    };

    private void Enter(Node node)
    {
        if (++_nodes > NodesMax) throw new SyntaxError($"The filter has more than {NodesMax} parts once its functions are written out", node.At);
        if (++_depth > DepthMax) throw new SyntaxError($"The filter is nested deeper than {DepthMax} levels once its functions are written out", node.At);
    }

    private static Code Constant(Json value) => new(new ConstantExpression(value));

    private Code Variable(VariableNode node, Context c)
    {
        if (node.Declaration is not null) return new Code(Read((VariablePlace)c.Scope.Find(node.Declaration)!, c));
        if (node.Global >= 0) return new Code(new GlobalExpression(_globals[node.Global]));
        return node.Name == "ENV"
            ? new Code(new Native0Expression((m, _) => m.Options.Environment, IdentityExpression.Instance))
            : Constant("millrace");
    }

    private static Expression Read(VariablePlace place, Context c)
    {
        var hops = c.Function.HopsTo(place.Owner);
        return hops == 0 ? new SlotExpression(place.Slot) : new OuterSlotExpression(hops, place.Slot);
    }

    private static Code Break(BreakNode leave, Context c)
    {
        var place = (LabelPlace)c.Scope.Find(leave.Label!)!;
        var signal = Signal.Break(new LabelSlot(place.Id, c.Function.HopsTo(place.Owner), place.Slot));
        return new Code(new ConstantExpression(signal));
    }

    private static Context Define(Definition definition, Context c)
    {
        var place = new DefinitionPlace(c.Function);
        place.Scope = c.Scope.With(definition, place);
        return c with { Scope = place.Scope };
    }
}
