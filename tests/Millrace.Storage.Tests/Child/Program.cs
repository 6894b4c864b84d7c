using System.Globalization;
using Millrace.Storage.Tests.Child;

return args switch
{
    ["child", "rows", var path, var checkpointPages] => await WritingChild.RunAsync(path, int.Parse(checkpointPages, CultureInfo.InvariantCulture)),
    ["child", "blobs", var folder] => await BlobChild.RunAsync(folder),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};
