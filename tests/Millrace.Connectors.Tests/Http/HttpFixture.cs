using Millrace.Connectors.Http;
using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;
using Millrace.Tests.Doubles;

namespace Millrace.Connectors.Tests.Http;

/// <summary>The doubles, and functions whose requests to the public names go to them.</summary>
public sealed class HttpFixture : IAsyncLifetime
{
    internal PetstoreDouble Petstore { get; private set; } = null!;
    internal HttpbinDouble Httpbin { get; private set; } = null!;
    internal TroubleDouble Trouble { get; private set; } = null!;
    internal ConnectorFunctions Functions { get; private set; } = null!;
    internal IFunction Http => Functions.Find("http");

    public async ValueTask InitializeAsync()
    {
        Petstore = await PetstoreDouble.StartAsync();
        Httpbin = await HttpbinDouble.StartAsync();
        Trouble = await TroubleDouble.StartAsync();
        Functions = Create(new HttpSettings());
    }

    /// <summary>Functions with other limits, over the same doubles.</summary>
    internal ConnectorFunctions Create(HttpSettings settings, HttpMessageHandler? handler = null) => ConnectorFunctions.Create(
        new ConnectorSettings
        {
            Http = settings with { HostOverrides = new Dictionary<string, Uri> { [PetstoreDouble.Host] = Petstore.Base, [HttpbinDouble.Host] = Httpbin.Base } },
            Process = new ProcessSettings(),
        },
        (_, _) => ValueTask.CompletedTask, handler: handler);

    public async ValueTask DisposeAsync()
    {
        Functions.Dispose();
        await Petstore.DisposeAsync();
        await Httpbin.DisposeAsync();
        await Trouble.DisposeAsync();
    }
}
